"""Random draws as parts of graphs (see shared_randomstreams)."""

from .shared_randomstreams import RandomStreams

__all__ = ["RandomStreams"]
