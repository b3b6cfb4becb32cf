std = "luajit"
-- Not read-only: settings of Neovim are written through its tables.
globals = { "vim" }
max_line_length = 100
