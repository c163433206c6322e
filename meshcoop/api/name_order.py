"""The order of people's names, by the alphabet of the neighbourhood's language (R-12.7d).

No library can do this on every machine. PyICU needs a compiler. Two machines can have different
locales. pyuca has no rules for single languages. So this module lists for each language, like CLDR,
which letters have a place of their own in the alphabet. Other letters are sorted as if they had no
accents. Chinese characters are sorted by their numbers in Unicode.
"""

import re
import unicodedata

from protocol.spelling import fold_text

# In each part, a letter is followed by the letters that come after it in the alphabet.
_EVERYWHERE = "e ə, i ı, z þ, д ђ, е є, и і й ј, л љ, н њ, т ћ, ч џ"
_ALPHABETS = {
    "az": "c ç, g ğ, h x ı, k q, o ö, s ş, u ü, z w",
    "be": "е ё є, у ў",
    "bs": "c č ć, d dž đ, l lj, n nj, s š, z ž",
    "cs": "c č, h ch, r ř, s š, z ž",
    "cy": "c ch, d dd, f ff, g ng, l ll, p ph, r rh, t th",
    "da": "z æ ø å",
    "eo": "c ĉ, g ĝ, h ĥ, j ĵ, s ŝ, u ŭ",
    "es": "n ñ",
    "et": "s š z ž, w õ ä ö ü",
    "eu": "n ñ",
    "fa": "ب پ, ج چ, ز ژ, ك گ",
    "fi": "z þ å ä ö",
    "fil": "n ñ ng",
    "fo": "z æ ø å",
    "gl": "n ñ",
    "hr": "c č ć, d dž đ, l lj, n nj, s š, z ž",
    "hu": "c cs, d dz dzs, g gy, l ly, n ny, o ö, s sz, t ty, u ü, z zs",
    "is": "a á, d ð, e é, i í, o ó, u ú, y ý, z þ æ ö å",
    "lt": "c č, s š, z ž",
    "lv": "a ā, c č, e ē, g ģ, i y ī, k ķ, l ļ, n ņ, o ō, r ŗ, s š, u ū, z ž",
    "nb": "z æ ø å",
    "nn": "z æ ø å",
    "no": "z æ ø å",
    "pl": "a ą, c ć, e ę, l ł, n ń, o ó, s ś, z ź ż",
    "ro": "a ă â, i î, s ș, t ț",
    "sk": "a ä, c č, h ch, o ô, r ř, s š, z ž",
    "sl": "c č ć, d đ, s š, z ž",
    "sq": "c ç, d dh, e ë, g gj, l ll, n nj, r rr, s sh, t th, x xh, z zh",
    "sv": "z å ä ö",
    "tr": "c ç, g ğ, h ı, o ö, s ş, u ü",
    "uk": "г ґ, и і ї й ј",
    "vi": "a ă â, d đ, e ê, o ô ơ, u ư",
}
# Letters of neighbours that a language sorts as its own.
_NORDIC = {"ä": "æ", "ö": "ø", "ü": "y", "aa": "å", "þ": "th"}
_SORTED_AS = {
    **dict.fromkeys(("da", "fo", "nb", "nn", "no"), _NORDIC),
    "fi": {"æ": "ä", "ø": "ö", "ü": "y"},
    "hu": {"ő": "ö", "ű": "ü"},
    "is": {"ä": "æ", "ø": "ö"},
    "lt": {"y": "i"},
    "mk": {"й": "и"},
    "ro": {"ş": "ș", "ţ": "ț"},
    "sr": {"й": "и"},
    "sv": {"æ": "ä", "ø": "ö", "ü": "y", "þ": "th"},
}
# The letters of the script in which a language is written. Names in this script come first.
_SCRIPTS = {
    **dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "uk"), r"[\u0400-\u052f]"),
    **dict.fromkeys(("ar", "fa", "ps", "ur"), r"[\u0600-\u06ff]"),
    **dict.fromkeys(("hi", "mr", "ne"), r"[\u0900-\u097f]"),
    **dict.fromkeys(("ja", "ko", "zh"), r"[\u3040-\u9fff\uac00-\ud7ff]"),
    "el": r"[\u0370-\u03ff]",
    "he": r"[\u0590-\u05ff]",
    "hy": r"[\u0530-\u058f]",
    "ka": r"[\u10a0-\u10ff]",
    "th": r"[\u0e00-\u0e7f]",
}
_DOTLESS = ("az", "tr")  # their capital "I" is the letter "ı"
_BETWEEN = "PSZ"  # categories of signs between words: punctuation, symbols and spaces
_AFTER_OWN = 10  # more places than a letter has others after it
_SPACE = (0, " ", 0)
_CAPITAL_I = str.maketrans("Iİ", "ıi")

SortedLetter = tuple[int, str, int]  # its script, its first letter, and its place after this letter


class NameOrder:
    """Sorts names by the alphabet of a language. `lang` is the tag of the language, such as "pl" or
    "pt-BR".

    If `lang` is None, or if this module does not have the language, sorts without the rules of any
    language.
    """

    def __init__(self, lang: str | None) -> None:
        language = (lang or "").replace("_", "-").partition("-")[0].lower()
        self._is_dotless = language in _DOTLESS
        own_alphabet = _read_alphabet(_ALPHABETS.get(language, ""))
        self._places = _read_alphabet(_EVERYWHERE, _AFTER_OWN) | own_alphabet
        self._sorted_as = _SORTED_AS.get(language, {})
        self._script = re.compile(_SCRIPTS.get(language, r"\w"))
        letters = sorted({*self._places, *self._sorted_as}, key=len, reverse=True)
        self._letter = re.compile("|".join([*letters, "."]), re.DOTALL)
        # The keys of the letters that names have had so far: names share their letters.
        self._keys: dict[str, list[SortedLetter]] = {}

    def key(self, name: str) -> tuple[SortedLetter, ...]:
        """Returns the key by which a name is sorted."""
        composed = unicodedata.normalize("NFC", name)
        lower = (composed.translate(_CAPITAL_I) if self._is_dotless else composed).lower()
        letters = self._letter.findall(lower)
        for letter in letters:
            if letter not in self._keys:
                self._keys[letter] = self._find_keys(self._sorted_as.get(letter, letter))
        return tuple(key for letter in letters for key in self._keys[letter])

    def _find_keys(self, letter: str) -> list[SortedLetter]:
        own_letter = self._find_own_letter(letter)
        if own_letter is not None:
            return [self._place(own_letter)]
        plain_letters = fold_text(letter)
        return [self._place(self._sorted_as.get(plain, plain)) for plain in plain_letters]

    def _find_own_letter(self, letter: str) -> str | None:
        """Returns the letter of the alphabet to which a written letter belongs, or None. The
        written letter may have one accent more than the letter of the alphabet.
        """
        if letter in self._places:
            return letter
        parts = unicodedata.normalize("NFD", letter)
        with_one_mark = (unicodedata.normalize("NFC", parts[0] + mark) for mark in parts[1:])
        return next((composed for composed in with_one_mark if composed in self._places), None)

    def _place(self, letter: str) -> SortedLetter:
        if unicodedata.category(letter[0])[0] in _BETWEEN:
            return _SPACE
        first, place = self._places.get(letter, (letter, 0))
        is_foreign = first.isalpha() and not self._script.match(first)
        return int(is_foreign), first, place


def _read_alphabet(text: str, first_place: int = 1) -> dict[str, tuple[str, int]]:
    """Returns the place of each letter. A place is a pair: a base letter, and how far after this
    base letter the letter stands.

    Commas divide the text into parts. Each part begins with its base letter.
    """
    places: dict[str, tuple[str, int]] = {}
    for part in text.split(", "):
        for place, letter in enumerate(part.split()[1:], first_place):
            places[letter] = (part.split()[0], place)
    return places
