"""What operators decide about searches: pinned and hidden titles, redirects and synonyms."""
