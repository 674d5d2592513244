"""Answers requests: the page, its files, and the interface for programs.

`guard` admits requests, `answers` formats errors, `uploads` reads the body of a request, `results`
sends results, `routes` has one function per request, `openapi` describes them, `pages` holds the
pages for people, and `server` joins all of it. Serving a page imports Starlette and uvicorn.
"""
