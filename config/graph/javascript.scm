(formal_parameters (identifier) @local)
(variable_declarator name: (identifier) @local value: (_) @value)
(variable_declarator name: (identifier) @local !value)
(array_pattern (identifier) @local)
(shorthand_property_identifier_pattern) @local
(pair_pattern value: (identifier) @local)
(assignment_pattern left: (identifier) @local)
(rest_pattern (identifier) @local)
(arrow_function parameter: (identifier) @local)
(catch_clause parameter: (identifier) @local)
(for_in_statement left: (identifier) @local)
(field_definition property: (property_identifier) @field value: (_) @value)
(assignment_expression left: (member_expression object: (this) property: (property_identifier) @field) right: (_) @value)
(import_statement) @import
(export_statement source: (string)) @import
(export_statement (export_clause) !source) @import
((variable_declarator value: (call_expression function: (identifier) @_require)) @import (#eq? @_require "require"))
(export_statement "default" value: (identifier) @default)
(export_statement "default" declaration: (_ name: (_) @default))
((assignment_expression left: (member_expression object: (identifier) @_module property: (property_identifier) @_exports) right: (identifier) @default) (#eq? @_module "module") (#eq? @_exports "exports"))
