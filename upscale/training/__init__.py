"""Fine-tuning and training of generators. Nothing but the command line imports it."""
