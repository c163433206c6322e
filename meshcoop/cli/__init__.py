"""The commands of `meshcoop`, one file a group; `meshcoop.cli` puts them together."""
