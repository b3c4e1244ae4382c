"""Claims about texts that are written as numbers or in base64."""

import base64

from lib.sharing.reading import numbers


def test_runs_of_integers_are_found_and_decimals_are_not():
    assert numbers.runs("[1, 2, 3, 4,\n5 6;7|8] and 9") == [[1, 2, 3, 4, 5, 6, 7, 8]]
    assert numbers.runs("0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9") == []


def test_code_points_are_letters_and_counts_are_not():
    assert list(numbers.as_texts([ord(letter) for letter in "old clock"])) == [("character codes", "old clock")]
    assert list(numbers.as_texts([1, 2, 3, 10, 20, 30, 40, 50])) == []


def test_base64_is_decoded_over_lines_and_without_its_end():
    content = b"A sentence of some length that goes over more than one line of base64, as in mails."
    for text in [base64.encodebytes(content).decode(), base64.urlsafe_b64encode(content).decode().rstrip("=")]:
        assert [data for _, _, data in numbers.encoded(text)] == [content]


def test_hexadecimal_is_decoded_with_and_without_separators():
    content = b"A sentence of some length."
    for text in [content.hex(), content.hex(" "), "".join(f"\\x{byte:02x}" for byte in content)]:
        assert content in [data for _, kind, data in numbers.encoded(text) if kind == "hexadecimal"]
