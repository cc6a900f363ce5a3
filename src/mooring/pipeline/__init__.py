"""config.json → plan → apply, against Mooring or SAP AI Core. Knows the AI API's client and nothing else of ours."""
