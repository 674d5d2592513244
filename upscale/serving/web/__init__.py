"""Requests → answers: the page, its files, and the interface for programs.

`guard` lets requests in, `answers` gives errors their form, `uploads` reads what is sent, `results`
sends what was made, `routes` has one function a request, `openapi` describes them, `pages` are what
people see, and `server` holds all of it. Starlette and uvicorn are imported when a page is served.
"""
