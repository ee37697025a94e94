"""Prompts in eight kinds: half to choose a wording by, half only to report.

A small model answers each in about 150 to 400 tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_bedrock_continue._check.well_formed import Kind

CHOOSE: dict[Kind, list[str]] = {
    "prose": [
        "Explain in three paragraphs why leaves change their colour in autumn.",
        "Tell a short story about a postman who finds a letter to himself.",
    ],
    "python": [
        "Write a Python class for a shopping cart: add, remove, total, docstrings.",
        "Write a Python function for the averages of a CSV file's columns.",
    ],
    "json": [
        "Give a JSON array of six planets: name, diameter_km, moons, discovery.",
        "Write a restaurant's menu as JSON: three sections of three dishes each.",
    ],
    "table": [
        "Compare five programming languages in a Markdown table of five columns.",
        "Make a Markdown table of eight countries: capital, population, currency.",
    ],
    "list": [
        "Write a numbered list of 12 tips for sleeping well, each in one sentence.",
        "Explain in a numbered list of ten steps how to change a bicycle tyre.",
    ],
    "sql": [
        "Write SQL that creates tables for a school and inserts two rows into each.",
        "Write five commented SQL queries for a shop's customers and orders.",
    ],
    "html": [
        "Write an HTML page with a contact form of four fields and a button. No CSS.",
        "Write an HTML page of a bakery: header, menu as a table, footer. No CSS.",
    ],
    "japanese": [
        "富士山について三つの段落で説明してください。",
        "おにぎりの作り方を順番に詳しく説明してください。",
    ],
}
"""Used to choose a wording."""

REPORT: dict[Kind, list[str]] = {
    "prose": [
        "Describe in three paragraphs how bread was baked in a medieval village.",
        "Write a letter to a neighbour about the noise of the new workshop.",
    ],
    "python": [
        "Write Python classes for a stack and a queue, with docstrings.",
        "Write a number guessing game in Python that counts the attempts.",
    ],
    "json": [
        "Return a JSON array of five employees: id, name, email, skills.",
        "Write a weather forecast for five days as JSON: date, high, low, wind.",
    ],
    "table": [
        "Make a Markdown table of seven vitamins: function, sources, deficiency.",
        "Write a weekly training plan as a Markdown table with four columns.",
    ],
    "list": [
        "Write a numbered list of ten inventions, with one sentence on each.",
        "Give a numbered list of 15 things to pack for hiking, with reasons.",
    ],
    "sql": [
        "Write the SQL schema of a cinema: films, halls, screenings, tickets.",
        "Write SQL: a table of employees, eight rows, the average salary.",
    ],
    "html": [
        "Write an HTML page with a list of six books, a paragraph on each. No CSS.",
        "Write an HTML page with the timetable of a school class as a table. No CSS.",
    ],
    "japanese": [
        "日本の鉄道の歴史について三つの段落で説明してください。",
        "健康的な生活のための習慣を十個、番号付きで説明してください。",
    ],
}
"""Used only to report."""

HALVES = {"choose": CHOOSE, "report": REPORT}
