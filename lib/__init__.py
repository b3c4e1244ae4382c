"""The thin helper module that the seven notebooks share; README.md names the purpose of each file."""
