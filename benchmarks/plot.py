"""Pictures of results, written as SVG by hand."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from benchmarks.rounds import Measured

COLOURS = {"guildhall": "#1f5fbf", "floor": "#7a7a7a", "fastify": "#3a9a5b", "orm": "#c98a1b", "django": "#a8433a"}
WIDTH, LABELS, BAR, GAP, TOP = 860, 130, 20, 6, 44
_STYLE = "text{font:13px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:14px}.s{fill:#666;font-size:12px}"


def bars(measured: Mapping[str, Measured], titles: Mapping[str, str]) -> str:
    """Requests a second of everybody, a panel per operation that more than one can do; medians, with the range."""
    parts: list[str] = []
    y = 10
    for operation, one in measured.items():
        if len(one.rounds) < 2:
            continue
        parts.append(f'<text class="t" x="12" y="{y + 16}">{escape(titles[operation])}</text>')
        parts.append(f'<text class="s" x="{WIDTH - 12}" y="{y + 16}" text-anchor="end">requests per second</text>')
        y += 28
        most = max(figures.rate for some in one.rounds.values() for figures in some)
        scale = (WIDTH - LABELS - 190) / most
        for name in sorted(one.rounds, key=one.median, reverse=True):
            rates = [figures.rate for figures in one.rounds[name]]
            middle, end = y + BAR / 2, LABELS + one.median(name) * scale
            low, high = LABELS + min(rates) * scale, LABELS + max(rates) * scale
            parts.append(f'<text x="{LABELS - 8}" y="{middle + 5}" text-anchor="end">{escape(name)}</text>')
            colour = COLOURS.get(name, "#444")
            parts.append(f'<rect x="{LABELS}" y="{y}" width="{end - LABELS:.1f}" height="{BAR}" fill="{colour}"/>')
            parts.append(f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#111" stroke-width="1.5"/>')
            said = f"{one.median(name):,.0f}, {one.median(name, 'cpu'):,.0f} us of processor"
            parts.append(f'<text x="{max(end, high) + 8:.1f}" y="{middle + 5}">{said}</text>')
            y += BAR + GAP
        y += 14
    return _drawn(parts, WIDTH, y)


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, across: str, up: str) -> str:
    """Lines over sizes, both axes in steps of ten."""
    points = [point for some in lines.values() for point in some]
    left, right = log10(min(x for x, _ in points)), log10(max(x for x, _ in points))
    low, high = floor(log10(min(y for _, y in points))), ceil(log10(max(y for _, y in points)))
    high = max(high, low + 1)
    width, height = 560, 260

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LABELS / 2 + 20 + (log10(x) - left) / (right - left) * width,
            TOP + height - (log10(y) - low) / (high - low) * height,
        )

    parts = [f'<text class="t" x="12" y="22">{escape(title)}</text>']
    for power in range(low, high + 1):
        x, y = at(10**left, 10**power)
        parts.append(f'<path d="M{x:.1f} {y:.1f}h{width}" stroke="#ddd"/>')
        parts.append(f'<text class="s" x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>')
    for size in sorted({x for x, _ in points}):
        x, y = at(size, 10**low)
        parts.append(f'<text class="s" x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{size:,.0f}</text>')
    shades = ["#1f5fbf", "#a8433a", "#3a9a5b", "#c98a1b", "#7a7a7a", "#6b4fa0"]
    for number, (name, some) in enumerate(lines.items()):
        colour = shades[number % len(shades)]
        path = "L".join("{:.1f} {:.1f}".format(*at(x, y)) for x, y in some)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(*some[-1])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        key = TOP + 16 + number * 20
        parts.append(f'<path d="M{width + LABELS / 2 + 46:.0f} {key - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{width + LABELS / 2 + 70:.0f}" y="{key}">{escape(name)}</text>')
    parts.append(f'<text class="s" x="{LABELS / 2 + 20 + width / 2}" y="{TOP + height + 40}" text-anchor="middle">')
    parts.append(f"{escape(across)}; {escape(up)}</text>")
    return _drawn(parts, WIDTH, TOP + height + 56)


def _drawn(parts: Sequence[str], width: int, height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join(
        [head, f"<style>{_STYLE}</style>", '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"]
    )
