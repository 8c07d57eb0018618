"""Small lists of words: keys side by side, words of one meaning, words that tell of a gender, and names."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

NEIGHBOURS: dict[str, str] = {
    key: row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, key in enumerate(row)
}
"""A letter → the letters on the keys beside it."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "can you": ("could you", "would you"),
    "could you": ("can you", "would you"),
    "what is": ("what's", "tell me"),
    "what's": ("what is",),
    "how do i": ("how can i", "what's the way to"),
    "how can i": ("how do i",),
    "i want to": ("i would like to", "i wish to"),
    "i would like to": ("i want to",),
    "i need to": ("i have to", "i must"),
    "tell me": ("let me know", "say"),
    "show me": ("display", "let me see"),
    "do not": ("don't",),
    "don't": ("do not",),
    "is not": ("isn't",),
    "going to": ("gonna",),
    "big": ("large",),
    "large": ("big",),
    "small": ("little",),
    "quick": ("fast",),
    "fast": ("quick",),
    "begin": ("start",),
    "start": ("begin",),
    "buy": ("purchase", "get"),
    "help": ("assist",),
    "maybe": ("perhaps",),
    "very": ("really",),
    "also": ("too",),
    "said": ("told",),
}
"""A phrase → what says the same."""

GENDERED: dict[str, str] = {
    "he": "she",
    "him": "her",
    "his": "her",
    "himself": "herself",
    "man": "woman",
    "men": "women",
    "boy": "girl",
    "boys": "girls",
    "father": "mother",
    "dad": "mom",
    "son": "daughter",
    "brother": "sister",
    "husband": "wife",
    "uncle": "aunt",
    "nephew": "niece",
    "grandfather": "grandmother",
    "sir": "madam",
    "mr": "mrs",
    "gentleman": "lady",
    "boyfriend": "girlfriend",
    "actor": "actress",
    "waiter": "waitress",
}
"""A word of men → the one of women; `her` goes back to `his`."""

NAMES: tuple[tuple[str, ...], ...] = (
    ("john", "james", "robert", "michael", "david", "peter", "paul", "mark", "tom", "jack"),
    ("mary", "anna", "linda", "susan", "sarah", "karen", "emma", "laura", "julia", "alice"),
    ("mohammed", "ali", "wei", "raj", "carlos", "jamal", "hiroshi", "kofi", "ivan", "diego"),
    ("fatima", "aisha", "mei", "priya", "maria", "latoya", "yuki", "ama", "olga", "lucia"),
)
"""First names of four groups; one of a group is replaced by one of another."""
