"""An example of a package that extends clip-hparam."""
