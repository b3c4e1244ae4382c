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


def test_base64_is_decoded_behind_other_letters_and_in_strings():
    content = b"A sentence of some length, one that fills more than thirty-two characters."
    letters = base64.b64encode(content).decode()
    for text in [f"> {letters[:40]}\n> {letters[40:]}", f'x = "{letters[:40]}" + "{letters[40:]}"']:
        assert content in [data for _, _, data in numbers.encoded(text)]
    assert any(content in data for _, _, data in numbers.encoded(f"a_name_{letters}"))


def test_words_that_are_encoded_one_by_one_are_read():
    words = ["my", "old", "clock", "is", "near", "the", "harbour", "now"]
    base64_words = "\n".join(base64.b64encode(word.encode()).decode() for word in words)
    assert list(numbers.encoded_words(base64_words)) == [("base64", "\n".join(words))]
    hexadecimal = ",".join(word.encode().hex() for word in words)
    assert ("hexadecimal", "\n".join(words)) in numbers.encoded_words(hexadecimal)
    assert list(numbers.encoded_words("The model has read all the texts of this level, 46 of 57.")) == []


def test_a_dump_is_read_without_its_text():
    content = b"A sentence of some length, longer than a line."
    parts = [content[at : at + 16] for at in range(0, len(content), 16)]
    dump = "\n".join(f"{16 * n:08x}: {part.hex(' ', 2)}  {part.decode()}" for n, part in enumerate(parts))
    assert content in [data for _, _, data in numbers.encoded(dump)]


def test_bytes_are_a_text_in_any_usual_encoding_or_none():
    for encoding in ["utf-8", "utf-16-le", "latin-1"]:
        assert numbers.text_in("une horloge dorée, bien sûr".encode(encoding)).startswith("une horloge dor")
    assert numbers.text_in(bytes(range(256))) == ""


def test_numbers_with_a_fraction_of_zero_or_an_exponent_are_whole():
    assert numbers.whole("474.0, 4.74e+02, 4.745, 1.5e-03") == "474, 474, 4.745, 1.5e-03"
