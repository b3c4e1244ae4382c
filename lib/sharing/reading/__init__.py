"""What a file says, whatever its format: `formats` detects it by content, `documents` and `binary_formats` (PDF,
Parquet, safetensors) read it, `embedded` reads JSON and records within texts, `escapes` and `characters` normalise it,
`views` undoes interleaving, `numbers` decodes ids, `row_tables` finds tables with a row for each text or learner.
"""
