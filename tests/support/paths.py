"""The paths of files and folders in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "specs"
VECTORS = SPECS / "vectors"
SUPPORT = Path(__file__).parent
