"""Typesetting of tidy tables as Markdown, LaTeX, HTML and CSV."""
