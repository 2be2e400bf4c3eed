"""Parts of scripts/try_images.py."""
