"""Questions for the real models: five kinds, five each."""

PROMPTS: dict[str, list[str]] = {
    "prose": [
        "Explain in three paragraphs how a lighthouse keeper spent a working night.",
        "Tell a short story about a clockmaker whose oldest clock runs backwards.",
        "Describe how rivers shape valleys over thousands of years.",
        "Write a letter to a friend about your first week in a small mountain town.",
        "What are the advantages and disadvantages of working at night?",
    ],
    "code": [
        "Write a Python class for a bank account with deposit, withdraw and history.",
        "Write a Python function that merges two sorted lists, with a docstring.",
        "Write a JavaScript function that debounces another function, with comments.",
        "Write a C program that counts the words of its standard input.",
        "Write a SQL schema for a library with books, members and loans.",
    ],
    "markdown": [
        "Write a README in Markdown for a command-line tool that renames photos.",
        "Compare cats, dogs and goldfish as pets in a Markdown table.",
        "Write a numbered recipe for pancakes in Markdown, with nested lists.",
        "Write Markdown notes with headings on the phases of the moon.",
        "Write a Markdown checklist for moving to a new flat, with sections.",
    ],
    "json": [
        "Give me a JSON array of five books with title, author, year and tags.",
        "Write a JSON configuration file for a web server, with nested objects.",
        "Return a JSON object that describes a train timetable with six stops.",
        "Write a JSON schema for a customer with an address and a list of orders.",
        "Give a JSON list of eight chemical elements with symbol, number and mass.",
    ],
    "japanese": [
        "日本の四季について説明してください。",
        "東京から京都への旅行の計画を書いてください。",
        "味噌汁の作り方を手順で教えてください。",
        "猫が主人公の短い物語を書いてください。",
        "日本語で自己紹介の例文を書いてください。",
    ],
}
