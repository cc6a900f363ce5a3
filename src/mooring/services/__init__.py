"""One use-case module per noun: what the API and the controllers may ask.

Plain functions on a session of `mooring.store.database`. Every object of a resource group is looked up together with
the group, so that an object of another group does not exist. They raise `mooring.errors` and know nothing of HTTP.
"""
