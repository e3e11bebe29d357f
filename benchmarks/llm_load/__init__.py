"""Load on a language model: what it is asked, by how many clients, and what each way costs."""
