@{
    IncludeDefaultRules = $true
    Severity            = @('Error', 'Warning')
}
