"""Drawing: one file per kind of exhibit, from tidy tables alone, without importing torch.

Each file offers ``draw(exhibit, csv_path, npz_path, out_stem)``: it reads the tidy table of an
exhibit (and its grids, where the kind has some) and writes ``<out_stem>.png`` and ``<out_stem>.pdf``,
each in one step and to the same bytes each time. How things look is in ``style``, how they are
called in ``labels``; both are shared by every figure.
"""
