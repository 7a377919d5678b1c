#!/usr/bin/env bash
# playwright 1.65.2 refuses a built-in method as a handler of an event: page.on("request", found.append) raises an AttributeError.
#
# Its documentation takes any callable. The synchronous and the asynchronous API store a wrapper on the handler, as an attribute, which a
# method of a built-in type such as list.append cannot have. A lambda around it is taken.
#
# Seen:
#   playwright 1.65.2, found.append            AttributeError: 'builtin_function_or_method' object has no attribute '_pw_impl_instance_'
#   playwright 1.65.2, lambda of found.append  1 request
# Exits with 2 without a Chromium, and with 1 if any of this changes.
set -euo pipefail
PYTHON=${PYTHON:-python3}
chromium=$(command -v chromium || command -v chromium-browser) || { echo "This needs a Chromium on the path."; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "<p>A page" > "$folder/page.html"
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet playwright==1.65.2

"$folder/env/bin/python" - "$chromium" "$folder/page.html" <<'PYTHON_END'
from importlib.metadata import version
import sys

from playwright.sync_api import sync_playwright

found = []
with sync_playwright() as playwright:
  browser = playwright.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox", "--disable-gpu"])
  page = browser.new_page()
  try:
    page.on("request", found.append)
    said = "taken"
  except AttributeError as error:
    said = f"AttributeError: {error}"
  page.on("request", lambda request: found.append(request))
  page.goto(f"file://{sys.argv[2]}")
  browser.close()
print(f"playwright {version('playwright')}, found.append: {said}")
print(f"playwright {version('playwright')}, lambda of found.append: {len(found)} request")
sys.exit(0 if said.startswith("AttributeError: 'builtin_function_or_method'") and len(found) == 1 else 1)
PYTHON_END
