"""The kill campaign: processes of a real installation are killed while people book, pay, cancel and talk; whatever was
acknowledged must be there afterwards, exactly once."""
