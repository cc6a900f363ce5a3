"""How a model of each library is asked directly, with answers equal to pyfunc's."""
