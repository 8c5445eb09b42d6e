"""The bus: opaque bytes from one party to another, at most once, remembered nowhere."""
