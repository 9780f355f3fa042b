
(() => {
  const form = document.getElementById("checkout");
  const said = document.getElementById("said");
  const button = form.querySelector("button");
  const stripe = Stripe(form.dataset.key);
  const elements = stripe.elements({ clientSecret: form.dataset.secret });
  const element = elements.create("payment");
  element.on("ready", () => { button.disabled = false; });
  element.mount("#element");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.hidden = true;
    const back = new URL(form.dataset.back, location.origin).href;
    const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: back } });
    said.textContent = error.message;
    said.hidden = false;
    button.disabled = false;
  });
})();
