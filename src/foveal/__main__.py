"""`python -m foveal` is the command `foveal`."""

from foveal.cli import leave

if __name__ == "__main__":
    leave()
