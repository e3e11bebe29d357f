"""Languages by file: what the assistant says, and what people type, in languages beside English."""
