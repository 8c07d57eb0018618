"""Reports: one self-contained HTML file made from sections, which are plain data."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "write_report": "page",
        "write_section": "sections",
        "table": "sections",
        "number": "sections",
        "numbers": "sections",
        "series": "sections",
        "line": "sections",
        "scatter": "sections",
        "bars": "sections",
        "matrix": "sections",
        "parallel": "sections",
        "node": "sections",
        "tree": "sections",
        "graph": "sections",
        "span": "sections",
        "timeline": "sections",
        "images": "sections",
        "audio": "sections",
        "text": "sections",
        "code": "sections",
    },
)
