"""The hub's need-to-know rules: the Cedar schema, the packs, and the pages that are generated from them."""
