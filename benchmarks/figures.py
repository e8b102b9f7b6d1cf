"""How a figure stands to its target."""


def met(figure: float, most: float) -> str:
    return "met" if figure <= most else "MISSED"
