"""The rule planner: cues and mentions to acts, without a language model."""
