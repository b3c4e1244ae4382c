"""Claims about EFCAMDAT's release 2 (XML): what the learner typed comes back from all that was done to it."""

import pytest

from lib.corpus import cleaning, learners, reading
from lib.errors import CorpusError
from tests.helpers.corpora import RELEASE2, STRANGE, read, read_bytes, settings, table, write_xml, writing


def read_writings(tmp_path, *writings, **changes):
    return read_bytes(tmp_path, RELEASE2.format("".join(writings)), "c.xml", **changes)


def test_release_2_gives_every_text_but_the_spaces_around_it(tmp_path):
    wanted = table(*({"writing_id": str(i), "level": "1", "text": text} for i, text in enumerate(STRANGE)))
    assert read(write_xml(wanted, tmp_path / "c"))["text"].tolist() == [text.strip() for text in STRANGE]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("one<br>two<br/>\n  three<BR />four", "one\ntwo\nthree\nfour"),
        ("a<code>b</code>c", "abc"),
        ("R&amp;amp;amp;D &amp;nbsp;&nbsp;x &quote;q&quote; &#39;&amp;lt;3", 'R&D   x "q" \'<3'),
        ("R&D a<b <3 x>y AT&T; &unknown; &amp", "R&D a<b <3 x>y AT&T; &unknown; &amp"),
        ("1 &lt; 2 &amp;lt;br&amp;gt; ok", "1 < 2\nok"),
        ("\n      Hi!\n      ", "Hi!"),
        ("<selected> <texts>", "<selected> <texts>"),
        ("<![CDATA[\n  Hi & <br> bye\n]]>", "Hi &\nbye"),
        ("a &#55357;&#56832; &amp;#xD83D;&amp;#xDE00; b", "a 😀 😀 b"),
        ("&#55357; x", "\ufffd x"),
    ],
)
def test_release_2_with_its_damage_says_what_the_learner_typed(tmp_path, typed, text):
    assert read_writings(tmp_path, writing(text=typed))["text"].tolist() == [text]


def change(wrong, right, symbol="SP"):
    return (
        f"<change><selection>{wrong}</selection><tag><symbol>{symbol}</symbol><correct>{right}</correct></tag></change>"
    )


@pytest.mark.parametrize(
    ("marked", "typed", "corrected"),
    [
        (f"I {change('has', 'have')} a cat", "I has a cat", "I have a cat"),
        (change(f"I {change('has', 'have')} cat", "I have cats"), "I has cat", "I have cats"),
        (change("dogs", f"the {change('dog', 'cat')}"), "dogs", "the cat"),
        (f"very{change(' the', '', 'D')} nice", "very the nice", "very nice"),
        (f"what {change('is it', '', 'HL')}?", "what is it?", "what is it?"),
        (f"I go{change('', ' to', 'MW')} town", "I go town", "I go to town"),
        ("<change><selection>a</selection><tag><symbol/><correct>b</correct></tag></change>", "a", "b"),
        (change("a &lt; <br> b", "c &amp;amp; d"), "a <\nb", "c & d"),
    ],
)
def test_a_correction_gives_the_learners_wording_or_the_proposed_one(tmp_path, marked, typed, corrected):
    for column, wanted in {"text": typed, "text_corrected": corrected}.items():
        assert read_writings(tmp_path, writing(text=marked), text_column=column)["text"].tolist() == [wanted]


def test_release_2_tells_a_first_language_where_the_country_does(tmp_path):
    pairs = {"br": "Portuguese", "tw": "Mandarin", "cn": "Mandarin", "jp": "Japanese", "us": "", "MX": "Spanish"}
    rows = read_writings(tmp_path, *(writing(id=str(n), nationality=code) for n, code in enumerate(pairs)))
    assert rows["l1"].tolist() == list(pairs.values())
    assert rows.iloc[1][["text_id", "learner_id", "level", "topic_id"]].tolist() == ["1", "7", "1", "3"]


def test_learners_of_two_nationalities_are_counted(tmp_path):
    pairs = [("7", "br"), ("7", "cn"), ("8", "br"), ("8", "BR"), ("9", "us"), ("9", "gb"), ("", "br"), ("", "cn")]
    rows = read_writings(
        tmp_path, *(writing(id=str(n), learner=name, nationality=code) for n, (name, code) in enumerate(pairs))
    )
    assert learners.learners_with_two_values(rows, "nationality") == 2
    assert learners.learners_with_two_values(rows, "l1") == 1  # of us and gb no first language is known


def test_a_refusal_names_the_writing(tmp_path):
    path = tmp_path / "c.xml"
    path.write_text(RELEASE2.format(writing() + writing(id="2", level="77")), encoding="utf-8")
    rows, sources = reading.read_corpus(path, settings())
    with pytest.raises(CorpusError, match="c.xml, writing 2: '77'"):
        cleaning.clean_texts(rows, None, sources)


def test_a_writing_may_lie_across_two_blocks_of_the_stream(tmp_path, monkeypatch):
    monkeypatch.setattr("lib.corpus.formats.efcamdat_xml.BLOCK", 150)
    rows = read_writings(tmp_path, *(writing(id=str(n), text=f"text {n} é") for n in range(50)))
    assert rows["text"].tolist() == [f"text {n} é" for n in range(50)]


def test_damaged_writings_are_counted_by_reason_and_hurt_no_other(tmp_path):
    bad = [writing(text="<change>a"), writing(text="</tag>"), writing(id=""), writing().replace("<text>", ""),
           writing(text="<change>a</change>"), writing(text="<change></change>"),
           writing().replace("</writing>", "").replace("</text>", "")]  # fmt: skip
    path = tmp_path / "c"
    path.write_text(RELEASE2.format("".join(bad + [writing(id=str(n)) for n in range(1000)])), encoding="utf-8")
    rows, sources = reading.read_corpus(path, settings())
    assert len(rows) == 1000 and sources[0]["unreadable"] == {
        "a correction without end": 1, "corrections that do not nest": 1, "no writing id": 1,
        "text without begin or end": 2, "words between the parts of a correction": 1,
        "a correction without selection": 1,
    }  # fmt: skip


def test_more_damage_than_one_in_a_hundred_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="1 of 51 writings cannot be read .no writing id: 1"):
        read_writings(tmp_path, writing(id=""), *(writing(id=str(n)) for n in range(50)))


@pytest.mark.parametrize("tag", ["<text/>", "<text />", "<text></text>"])
def test_a_writing_without_words_is_an_empty_text_and_no_damage(tmp_path, tag):
    rows = read_writings(tmp_path, writing().replace("<text>I like cats.</text>", tag), writing(id="2"))
    assert rows["text"].tolist() == ["", "I like cats."] and rows["text_id"].tolist() == ["1", "2"]
