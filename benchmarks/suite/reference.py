"""Derivatives of plain NumPy work, for references."""

TINY = 1e-100


def with_derivatives(work, values):
    """(work(*values), its derivatives by each value), the values being numbers and work a number.

    Steps of TINY i lose no digits: what comes back as imaginary part is the derivative to rounding, if work
    is written with functions that know complex numbers.
    """
    slopes = []
    for i in range(len(values)):
        moved = [complex(v, TINY) if i == j else v for j, v in enumerate(values)]
        slopes.append(work(*moved).imag / TINY)
    return [work(*values)] + slopes
