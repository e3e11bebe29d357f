"""The pages in a real browser: served, visited and measured. Used by the browser tests too."""
