"""``python -m upscale``: the same as the command ``upscale``."""

from upscale.cli import main

if __name__ == "__main__":
    main()
