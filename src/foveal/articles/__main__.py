"""`python -m foveal.articles NAME` runs what Python shows of a statement, or fills a folder."""

import sys

from foveal.articles.shown import FOLDERS, SHOWN

if __name__ == "__main__":
    (SHOWN | FOLDERS)[sys.argv[1]]()
