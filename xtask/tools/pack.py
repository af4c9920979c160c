"""Packs target/lambda/<function>/bootstrap as bootstrap.zip beside it, for each path given.

The SAM CLI would pack them too, at every start, one after another, with the slowest compression.
"""

import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor


def pack(bootstrap):
    draft = bootstrap + ".zip.new"
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(bootstrap, "bootstrap")
    os.replace(draft, bootstrap + ".zip")


with ThreadPoolExecutor(os.cpu_count()) as pool:
    list(pool.map(pack, sys.argv[1:]))
