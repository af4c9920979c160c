"""Prints how many bytes the zip of a function's binary has: one file, `bootstrap`, deflated as far as it goes."""

import io
import sys
import zipfile

out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    archive.write(sys.argv[1], "bootstrap")
print(len(out.getvalue()))
