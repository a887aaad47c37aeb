; Data: cut by its syntax, without names.
