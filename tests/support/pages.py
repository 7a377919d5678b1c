"""Written HTML pages, as tests read them."""

from html.parser import HTMLParser


class Page(HTMLParser):
  """The tags of a page, and its words."""

  def __init__(self, text):
    super().__init__()
    self.tags, self.text, self.open = [], "", []
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.tags.append((tag, dict(attrs)))
    if tag not in ("meta", "link", "img", "br"):
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    if "style" not in self.open and "script" not in self.open:
      self.text += data

  def all(self, tag):
    return [attrs for name, attrs in self.tags if name == tag]
