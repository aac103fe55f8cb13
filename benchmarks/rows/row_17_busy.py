"""Row 8's network step while another process keeps one of the two cores busy."""

from rows.row_08_networks import LATER as ROWS  # noqa: F401
