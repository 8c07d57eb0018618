"""The colours of people drawn over pictures, RGB: left is warm, right is cold."""

Colour = tuple[int, int, int]

LEFT: Colour = (255, 146, 26)
RIGHT: Colour = (38, 158, 255)
MIDDLE: Colour = (245, 245, 245)
BACKGROUND: Colour = (20, 20, 20)
MESH: Colour = (225, 235, 230)

HAND_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "left_hand": ((255, 196, 84), (214, 84, 0)),
    "right_hand": ((132, 208, 255), (0, 84, 196)),
}
"""Of the lines and of the points."""

FACE_COLOURS: dict[str, Colour] = {
    "lips": (255, 92, 138),
    "left_eye": LEFT,
    "left_eyebrow": LEFT,
    "right_eye": RIGHT,
    "right_eyebrow": RIGHT,
    "oval": MIDDLE,
    "left_iris": (120, 255, 120),
    "right_iris": (120, 255, 120),
}

PEOPLE: tuple[Colour, ...] = (
    (0, 200, 120),
    (180, 90, 255),
    (255, 210, 0),
    (0, 190, 230),
    (255, 90, 90),
    (150, 220, 60),
)


def person_colour(person: int) -> Colour:
    """The colour of a person's number and mask; people share colours when there are more than six."""
    return PEOPLE[person % len(PEOPLE)]
