"""`python -m schemas.vectors`: write every generated file of `schemas/` again."""

from __future__ import annotations

from schemas.vectors.files import SCHEMAS, generated_files, stray_files


def main() -> None:
    """Write what differs, and remove what is no longer made."""
    for name, text in generated_files().items():
        path = SCHEMAS / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"schemas/{name}")
    for path in stray_files():
        path.unlink()


main()
