"""What `attune doctor` looks at, one kind of thing a module; each finding says what to do."""
