"""Training of rerankers: from judgements or feedback to a model that a project serves."""
