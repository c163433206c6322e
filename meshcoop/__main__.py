"""The command `meshcoop`. `python -m meshcoop` does the same."""

from meshcoop.cli.installation import check_files


def main() -> None:
    """First checks that all files belong to meshcoop. Then runs the command that was typed."""
    check_files()
    from meshcoop.cli.main import main as run_command

    run_command()


if __name__ == "__main__":
    main()
