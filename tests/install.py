"""Make sure that the tests have what pip cannot bring: Chromium, the zbar library and SoftHSM. Standard library only.

Installs the missing Debian packages when it may, else says exactly what to run and exits with 1.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys


def missing() -> list[str]:
    """Debian packages that are needed and not there."""
    packages = []
    if not (shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")):
        packages.append("chromium")
    if ctypes.util.find_library("zbar") is None:
        packages.append("libzbar0")
    if shutil.which("softhsm2-util") is None:
        packages.append("softhsm2")
    return packages


def main() -> int:
    packages = missing()
    if not packages:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        print(f"installing {', '.join(packages)} …", file=sys.stderr)
        subprocess.run(["apt-get", "update", "--quiet"], env=environment, stdout=subprocess.DEVNULL, check=False)
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        packages = missing()
    if packages:
        print(f"The tests need {' and '.join(packages)}. Run: sudo {' '.join(command)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
