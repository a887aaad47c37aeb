(class_declaration name: (identifier) @name) @definition.class
(object_declaration name: (identifier) @name) @definition.class
(function_declaration name: (identifier) @name) @definition.function
(type_alias type: (identifier) @name) @definition.type
(source_file (property_declaration (variable_declaration (identifier) @name)) @definition.constant)
(class_body (property_declaration (variable_declaration (identifier) @name)) @definition.constant)
(call_expression (identifier) @reference.call)
(call_expression (navigation_expression (identifier) @reference.method .))
(user_type (identifier) @reference.type)
(import) @import
