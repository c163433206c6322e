"""The checks of `meshcoop doctor`. Each module looks at one part of a home."""
