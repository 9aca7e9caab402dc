"""An OpenAI-compatible service in which every answer has a mood. Needs the extra ``server``."""
