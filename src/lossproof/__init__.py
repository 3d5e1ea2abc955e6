"""lossproof: every table, figure and theorem check of robust-loss papers, measured again."""
